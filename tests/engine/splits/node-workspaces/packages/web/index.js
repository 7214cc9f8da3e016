console.log(require("format").price(3), require("ms")("1h"));

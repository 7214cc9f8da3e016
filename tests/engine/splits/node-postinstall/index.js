console.log(require("ms")("1h"), require("./generated/client"));

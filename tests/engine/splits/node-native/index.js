const bcrypt = require("bcrypt");

console.log(bcrypt.compareSync("word", bcrypt.hashSync("word", 4)));

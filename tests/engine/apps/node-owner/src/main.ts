declare function require(name: string): (value: string) => number;

const ms = require('ms');
console.log(ms('1 day'));

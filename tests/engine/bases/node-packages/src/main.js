const ms = require('ms');

function unused() {
  return 1;
}

console.log(ms(60000));

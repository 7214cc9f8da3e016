const { bold } = require('kleur');

console.log(bold('started').length > 0);

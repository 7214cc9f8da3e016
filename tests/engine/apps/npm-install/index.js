const ms = require('ms');
const semver = require('semver');

console.log(ms('2 days'), semver.satisfies('1.2.3', '^1.0.0'));

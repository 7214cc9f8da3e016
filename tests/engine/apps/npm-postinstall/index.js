console.log(require('ms')('5 min'));

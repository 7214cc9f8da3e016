console.log(require('ms')('10 min'));

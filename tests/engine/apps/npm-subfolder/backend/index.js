console.log(require('ms')('90 s'));

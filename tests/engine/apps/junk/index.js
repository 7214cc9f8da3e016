console.log(require('ms')('1 h'));

console.log(require('ms')('20 min'));

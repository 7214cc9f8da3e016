console.log(require('ms')('3 weeks'));

console.log(require('ms')('2 weeks'));

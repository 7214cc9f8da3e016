console.log(require('ms')(require('./settings.json').interval));

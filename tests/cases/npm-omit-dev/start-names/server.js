const watch = require('nodemon');

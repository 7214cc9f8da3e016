const fs = require('fs');

fs.mkdirSync('dist');
fs.writeFileSync('dist/main.js', fs.readFileSync('main.js', 'utf8').replace('WHEN', process.version.split('.')[0]));

const fs = require('fs');

fs.writeFileSync('settings.json', JSON.stringify({ interval: '5 min' }));

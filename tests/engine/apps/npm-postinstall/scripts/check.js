// An install that lacks this file fails, and so does one whose dependency does not work.
if (require('ms')('5 min') !== 300000) process.exit(1);

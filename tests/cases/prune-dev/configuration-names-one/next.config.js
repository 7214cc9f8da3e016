const analyze = require('@next/bundle-analyzer');
module.exports = analyze()({});

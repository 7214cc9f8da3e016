const http = require('http');
const mustache = require('mustache');

const server = http.createServer((request, response) => {
  response.end(mustache.render('{{greeting}} from {{path}}', { greeting: 'hello', path: request.url }));
});
server.listen(process.env.PORT, async () => {
  if (process.argv.includes('--once')) {
    console.log(await (await fetch(`http://localhost:${process.env.PORT}/here`)).text());
    process.exit();
  }
});

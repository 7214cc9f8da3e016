console.log('built with WHEN');

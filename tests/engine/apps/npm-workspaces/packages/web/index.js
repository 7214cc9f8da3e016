console.log(require('@repo/format')(90000));

require('express')();

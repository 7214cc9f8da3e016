<?php

require 'vendor/autoload.php';

echo Example\greeting('world'), PHP_EOL;

<?php

namespace Example;

function greeting(string $name): string
{
    return "hello, $name";
}

<?php

namespace Example;

function check(bool $value): void
{
    assert($value);
}

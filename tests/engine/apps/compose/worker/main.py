import six

from shared import KEY

print(six.text_type(KEY))

SECRET_KEY = "only-for-tests"
LOCALE_PATHS = ["/app/locale"]
ROOT_URLCONF = "urls"

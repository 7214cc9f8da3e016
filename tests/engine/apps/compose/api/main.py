from itsdangerous import Signer

from shared import KEY

print(Signer(KEY).sign("api").decode())

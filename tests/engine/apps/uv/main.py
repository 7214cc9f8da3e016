import idna

print(idna.encode("dömäin.example").decode())

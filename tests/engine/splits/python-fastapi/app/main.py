import psycopg2
from fastapi import FastAPI

app = FastAPI()


@app.get("/")
def root():
    return {"needs": psycopg2.paramstyle}

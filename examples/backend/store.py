"""Todos in a database."""

from sqlalchemy import Boolean, Column, Integer, MetaData, String, Table, create_engine
from sqlalchemy import delete, insert, select, update

metadata = MetaData()
todos = Table(
    "todos",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("title", String, nullable=False),
    Column("done", Boolean, nullable=False, default=False),
)


class Store:
    def __init__(self, url):
        self.engine = create_engine(url)
        metadata.create_all(self.engine)

    def all(self):
        with self.engine.connect() as connection:
            rows = connection.execute(select(todos).order_by(todos.c.id))
            return [dict(row) for row in rows.mappings()]

    def get(self, todo_id):
        with self.engine.connect() as connection:
            row = connection.execute(select(todos).where(todos.c.id == todo_id)).mappings().first()
            return dict(row) if row else None

    def add(self, title):
        with self.engine.begin() as connection:
            result = connection.execute(insert(todos).values(title=title))
        return self.get(result.inserted_primary_key[0])

    def set_done(self, todo_id, done):
        with self.engine.begin() as connection:
            connection.execute(update(todos).where(todos.c.id == todo_id).values(done=done))
        return self.get(todo_id)

    def remove(self, todo_id):
        with self.engine.begin() as connection:
            return connection.execute(delete(todos).where(todos.c.id == todo_id)).rowcount > 0

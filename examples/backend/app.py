"""The API of the todo product: lists, adds, changes and removes todos."""

import os

from flask import Flask, jsonify, request

from store import Store

app = Flask(__name__)
store = Store(os.environ.get("DATABASE_URL", "sqlite:///todos.db"))


@app.get("/health")
def health():
    return jsonify(status="ok")


@app.get("/todos")
def list_todos():
    return jsonify(store.all())


@app.post("/todos")
def add_todo():
    title = (request.get_json(silent=True) or {}).get("title")
    if not isinstance(title, str) or not title.strip():
        return jsonify(error="a todo needs a title"), 400
    return jsonify(store.add(title.strip())), 201


@app.patch("/todos/<int:todo_id>")
def change_todo(todo_id):
    done = (request.get_json(silent=True) or {}).get("done")
    if not isinstance(done, bool):
        return jsonify(error="`done` is true or false"), 400
    todo = store.set_done(todo_id, done)
    return (jsonify(todo), 200) if todo else (jsonify(error="no such todo"), 404)


@app.delete("/todos/<int:todo_id>")
def remove_todo(todo_id):
    return ("", 204) if store.remove(todo_id) else (jsonify(error="no such todo"), 404)

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

/* Puts the words of a file into a table, and asks how many are as long as the one that is given. */
int main(int argc, char **argv) {
    FILE *file = fopen("/opt/words/share/words.txt", "r");
    sqlite3 *base;
    sqlite3_stmt *statement;
    char line[80];
    if (!file || sqlite3_open(":memory:", &base)) return 1;
    sqlite3_exec(base, "CREATE TABLE words (word TEXT)", 0, 0, 0);
    sqlite3_prepare_v2(base, "INSERT INTO words VALUES (?)", -1, &statement, 0);
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = 0;
        sqlite3_bind_text(statement, 1, line, -1, SQLITE_TRANSIENT);
        sqlite3_step(statement);
        sqlite3_reset(statement);
    }
    sqlite3_finalize(statement);
    sqlite3_prepare_v2(base, "SELECT count(*) FROM words WHERE length(word) = length(?)", -1, &statement, 0);
    sqlite3_bind_text(statement, 1, argc > 1 ? argv[1] : "", -1, SQLITE_TRANSIENT);
    sqlite3_step(statement);
    printf("%d\n", sqlite3_column_int(statement, 0));
    return 0;
}

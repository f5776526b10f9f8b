"""Looks at a database as BI tools do. Reads from standard input where it is and queries; writes what it found."""
import json
import sys
import clickhouse_connect
import sqlalchemy

asked = json.load(sys.stdin)
host, port, password, database = (asked[name] for name in ("host", "port", "password", "database"))
client = clickhouse_connect.get_client(host=host, port=port, username="default", password=password, database=database)
engine = sqlalchemy.create_engine(f"clickhousedb://default:{password}@{host}:{port}/{database}")
inspector = sqlalchemy.inspect(engine)
with engine.connect() as connection:
    by_dialect = [list(row) for row in connection.execute(sqlalchemy.text("SELECT event, count() FROM events WHERE source = :source GROUP BY event ORDER BY event"), {"source": "web"})]
found = {
    "tables": [row[0] for row in client.query("SHOW TABLES").result_rows],
    "inspected": inspector.get_table_names(schema=database) + inspector.get_view_names(schema=database),
    "columns": [column["name"] for column in inspector.get_columns("events", schema=database)],
    "answers": [list(client.query(query).named_results()) for query in asked["queries"]],
    "by_dialect": by_dialect,
}
json.dump(found, sys.stdout, default=str)

-- The application's own tables.
CREATE TABLE tasks (
    id uuid PRIMARY KEY,
    workspace text NOT NULL,
    status text NOT NULL DEFAULT 'pending',
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX tasks_status_updated_at ON tasks (status, updated_at);

CREATE TABLE events (
    id bigserial PRIMARY KEY,
    workspace text NOT NULL,
    kind text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX events_created_at ON events (created_at);

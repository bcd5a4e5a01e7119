-- name: GetRunOfTask :one
-- An MCP task's id is the id of its run's workflow.
SELECT * FROM automation_runs WHERE workflow_id = @workflow_id AND owner = @owner;

package statement

import (
	"fmt"
	"slices"
	"strings"
)

// functions are names, and beginnings of names that end in *.
type functions []string

// acts are functions whose effect a rollback does not take back, or that reach beyond the database: other sessions,
// the server's files, other servers, its write-ahead log, locks that others wait for.
var acts = functions{
	"pg_terminate_backend", "pg_cancel_backend", "pg_reload_conf", "pg_rotate_logfile*", "pg_promote", "pg_log_backend_memory_contexts",
	"pg_read_*", "pg_ls_*", "pg_stat_file", "pg_file_*", "pg_logdir_ls", "lo_*", "lowrite", "pg_current_logfile",
	"pg_advisory_*", "pg_try_advisory_*", "pg_notify", "pg_sleep*",
	"pg_logical_*", "pg_replication_*", "pg_create_*", "pg_copy_*", "pg_drop_*", "pg_sync_replication_slots", "pg_wal_replay_*",
	"pg_switch_wal", "pg_switch_xlog", "pg_start_backup", "pg_stop_backup", "pg_backup_*", "pg_export_snapshot", "pg_stat_reset*",
	"pg_stat_statements_reset", "pg_stat_force_next_flush", "pg_prewarm", "autoprewarm_*", "pg_extension_config_dump", "pg_import_system_collations",
	"pg_restore_*", "pg_clear_*", "binary_upgrade_*", "brin_*", "gin_clean_pending_list", "dblink*", "postgres_fdw_*",
	"query_to_xml*", "cursor_to_xml*", "ts_stat", "ts_rewrite", "crosstab*", "connectby", "set_config",
	"http", "http_get", "http_post", "http_put", "http_patch", "http_delete", "http_head", "http_execute*", "http_request", "http_collect_response",
	"http_set_curlopt", "http_reset_curlopt", "http_list_curlopt", // of pgsql-http, pg_net and omni_httpc
	"schedule", "schedule_in_database", "unschedule", "alter_job", // of pg_cron
}

// schemas have no function that is none of the acts.
var schemas = []string{"cron"}

// moves are functions that are part of an ordinary change, and of no query.
var moves = functions{"nextval", "setval"}

func (f functions) have(name string) bool {
	return slices.ContainsFunc(f, func(pattern string) bool {
		beginning, open := strings.CutSuffix(pattern, "*")
		return name == beginning || open && strings.HasPrefix(name, beginning)
	})
}

// calls refuses calls of the functions. A name in quotes is one too.
func calls(tokens []token, refused ...functions) error {
	no := tables(tokens)
	for i, t := range tokens {
		if !t.isName() || !after(tokens, i).isSymbol("(") || no[i] {
			continue
		}
		if within(tokens, i, schemas) || slices.ContainsFunc(refused, func(f functions) bool { return f.have(t.text) }) {
			return fmt.Errorf("the function %s does more than read or change rows, and is not available", t.text)
		}
	}
	return nil
}

// within says whether the name at i stands in one of the schemas.
func within(tokens []token, i int, schemas []string) bool {
	return i > 1 && tokens[i-1].isSymbol(".") && tokens[i-2].isName() && slices.Contains(schemas, tokens[i-2].text)
}

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
	"query_to_xml*", "cursor_to_xml*", "ts_stat", "ts_rewrite", "crosstab*", "connectby", "set_config", "http", "http_*", "cron*",
}

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
	for i, t := range tokens {
		if t.kind != word && t.kind != quoted || !after(tokens, i).isSymbol("(") {
			continue
		}
		if slices.ContainsFunc(refused, func(f functions) bool { return f.have(t.text) }) {
			return fmt.Errorf("the function %s does more than read or change rows, and is not available", t.text)
		}
	}
	return nil
}

package install

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"steward/internal/audit"
	"steward/internal/auth"
	"steward/internal/automation"
	"steward/internal/fault"
	"steward/internal/store"
)

// Change is one that was accepted.
type Change struct {
	Package  int64  `json:"package"`
	Workflow string `json:"workflow"`
	Replayed bool   `json:"-"` // the same Idempotency-Key had been accepted before
}

// temporalTimeout bounds one call to Temporal: it is tried again by Reconcile.
const temporalTimeout = 5 * time.Second

// Install accepts a new package. It returns Invalid for a bad request and Conflict if the server's name is taken.
func (s *Service) Install(ctx context.Context, p auth.Principal, r Request) (Change, error) {
	if err := r.normalize(); err != nil {
		return Change{}, err
	}
	if err := s.servers.CheckInstall(ctx, r.server()); err != nil {
		return Change{}, err
	}
	request, err := r.asked()
	if err != nil {
		return Change{}, err
	}
	sealed, err := settings{Index: r.Index, Env: r.Env, Headers: r.Headers}.seal(s.ring, r.ServerName)
	if err != nil {
		return Change{}, err
	}
	c, err := newChange()
	if err != nil {
		return c, err
	}
	err = s.db.Tx(ctx, func(q *store.Queries) error {
		if c.Replayed, err = r.Once.Find(ctx, q, p.Owner, &c); err != nil || c.Replayed {
			return err
		}
		if err := free(ctx, q, r.ServerName); err != nil {
			return err
		}
		row, err := q.InsertPackage(ctx, store.InsertPackageParams{
			ServerName: r.ServerName, Name: r.Name, Runtime: r.Runtime, SettingsSealed: sealed, Request: request, Wanted: r.Version,
			WorkflowID: c.Workflow, CreatedBy: p.Actor,
		})
		if store.IsNoRows(err) {
			return taken(r.ServerName)
		}
		if err != nil {
			return fmt.Errorf("insert package: %w", err)
		}
		c.Package = row.ID
		if err := accepted(ctx, q, p, c, row, automation.PackageInstall, r.Version); err != nil {
			return err
		}
		return r.Once.Keep(ctx, q, p.Owner, http.StatusOK, c)
	})
	if err != nil {
		return Change{}, fmt.Errorf("accept package: %w", err)
	}
	if !c.Replayed {
		s.offer(ctx, c, automation.PackageInput{PackageID: c.Package, Action: automation.PackageInstall, Version: r.Version})
	}
	return c, nil
}

// Upgrade accepts another version of an installed package: an exact one, or for "" and "latest" the newest.
func (s *Service) Upgrade(ctx context.Context, p auth.Principal, row *store.Package, version string) (Change, error) {
	if version == latest {
		version = ""
	}
	if version != "" {
		if err := checkVersion(row.Runtime, version); err != nil {
			return Change{}, err
		}
	}
	return s.begin(ctx, p, row, Upgrading, automation.PackageInput{PackageID: row.ID, Action: automation.PackageUpgrade, Version: version}, Installed)
}

// Remove accepts the end of a package: its server, what users have stored for it, its folders, its row.
func (s *Service) Remove(ctx context.Context, p auth.Principal, row *store.Package) (Change, error) {
	return s.begin(ctx, p, row, Removing, automation.PackageInput{PackageID: row.ID, Action: automation.PackageRemove}, Installed, Failed)
}

// begin takes the package's lock for a change.
func (s *Service) begin(ctx context.Context, p auth.Principal, row *store.Package, status string, in automation.PackageInput, from ...string) (Change, error) {
	c, err := newChange()
	if err != nil {
		return c, err
	}
	c.Package = row.ID
	err = s.db.Tx(ctx, func(q *store.Queries) error {
		n, err := q.BeginPackageChange(ctx, store.BeginPackageChangeParams{
			ID: row.ID, Status: status, Wanted: in.Version, WorkflowID: c.Workflow, FromStatus: from,
		})
		if err != nil {
			return fmt.Errorf("begin change: %w", err)
		}
		if n == 0 {
			return fault.New(fault.Conflict, "the package of server %s is being changed, or was never installed", row.ServerName).WithCode("package_busy")
		}
		return accepted(ctx, q, p, c, row, in.Action, in.Version)
	})
	if err != nil {
		return Change{}, fmt.Errorf("accept change of package: %w", err)
	}
	s.offer(ctx, c, in)
	return c, nil
}

func newChange() (Change, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return Change{}, fmt.Errorf("make workflow id: %w", err)
	}
	return Change{Workflow: "package/" + id.String()}, nil
}

// free refuses the name of a server that is there already: a package's is a new one.
func free(ctx context.Context, q *store.Queries, serverName string) error {
	there, err := q.AdminServerExists(ctx, serverName)
	if err != nil {
		return fmt.Errorf("look for server: %w", err)
	}
	if there {
		return taken(serverName)
	}
	return nil
}

func taken(serverName string) error {
	return fault.New(fault.Conflict, "Server with name %s already exists", serverName)
}

func accepted(ctx context.Context, q *store.Queries, p auth.Principal, c Change, row *store.Package, action automation.PackageAction, version string) error {
	return audit.Put(ctx, q, audit.Event{
		Chain: automation.AuditSystem, Key: c.Workflow + "/accepted", Kind: audit.PackageAccepted, Actor: p.Actor,
		Body: map[string]any{
			"action": action, "package": row.Name, "server": row.ServerName, "runtime": row.Runtime, "version": version, "workflow_id": c.Workflow,
		},
	})
}

// offer starts the change's workflow. While Temporal is away, Reconcile does.
func (s *Service) offer(ctx context.Context, c Change, in automation.PackageInput) {
	if err := s.start(ctx, c.Workflow, in); err != nil {
		s.log.WarnContext(ctx, "change of package not started yet", "package", c.Package, "error", err)
	}
}

// start hands a change to Temporal. The id makes a repetition harmless.
func (s *Service) start(ctx context.Context, workflowID string, in automation.PackageInput) error {
	ctx, cancel := context.WithTimeout(ctx, temporalTimeout)
	defer cancel()
	_, err := s.temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID: workflowID, TaskQueue: automation.TaskQueue, WorkflowTaskTimeout: 5 * time.Second,
		WorkflowIDReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		StaticSummary:            string(in.Action) + " a package",
	}, automation.WorkflowPackageChange, in)
	if err != nil {
		return fmt.Errorf("start workflow: %w", err)
	}
	return nil
}

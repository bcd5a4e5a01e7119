package main

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"time"

	"go.temporal.io/server/common/authorization"
	"go.temporal.io/server/common/cluster"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/dynamicconfig"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/membership/static"
	"go.temporal.io/server/common/primitives"
	"go.temporal.io/server/temporal"
)

// historyShards is written into the database at its first start and can never change afterwards. Four keep
// two to four cores busy; each more costs idle polling.
const historyShards = 4

// The settings that make a small server fast; the defaults are meant for a cluster of many machines.
var dynamicSettings = dynamicconfig.StaticClient{
	// The default of 20 a second makes each activity step wait one or two slots of 50 ms.
	dynamicconfig.TransferProcessorMaxPollRPS.Key():   2000,
	dynamicconfig.TimerProcessorMaxPollRPS.Key():      2000,
	dynamicconfig.VisibilityProcessorMaxPollRPS.Key(): 2000,
	// With the default of 4 a task may wait in a partition that no poller looks at.
	dynamicconfig.MatchingNumTaskqueueReadPartitions.Key():  1,
	dynamicconfig.MatchingNumTaskqueueWritePartitions.Key(): 1,
	// One developer or one test suite is one caller: the per-caller limits must not throttle it.
	dynamicconfig.FrontendRPS.Key():                                  20000,
	dynamicconfig.FrontendMaxNamespaceRPSPerInstance.Key():           20000,
	dynamicconfig.FrontendMaxNamespaceVisibilityRPSPerInstance.Key(): 100,
	dynamicconfig.HistoryCacheHostLevelMaxSize.Key():                 8096,
	dynamicconfig.EnableWorkflowTaskCompletionPagination.Key():       true,
}

// newServer assembles the four services. Only the frontend has an address known outside; the others find
// each other at free loopback ports picked anew at each start.
func newServer(ctx context.Context, o options) (temporal.Server, error) {
	host := o.listen.Addr().String()
	ports := map[primitives.ServiceName]int{primitives.FrontendService: int(o.listen.Port())}
	for _, name := range []primitives.ServiceName{primitives.HistoryService, primitives.MatchingService, primitives.WorkerService} {
		port, err := freePort(ctx, host)
		if err != nil {
			return nil, err
		}
		ports[name] = port
	}
	conf := newConfig(o)
	hosts := map[primitives.ServiceName]static.Hosts{}
	for name, port := range ports {
		var service config.Service
		service.RPC.GRPCPort, service.RPC.BindOnIP = port, host
		conf.Services[string(name)] = service
		hosts[name] = static.SingleLocalHost(net.JoinHostPort(host, strconv.Itoa(port)))
	}
	logger := newLogger()
	authorizer, err := authorization.GetAuthorizerFromConfig(&conf.Global.Authorization)
	if err != nil {
		return nil, fmt.Errorf("assemble the server: %w", err)
	}
	claims, err := authorization.GetClaimMapperFromConfig(&conf.Global.Authorization, logger)
	if err != nil {
		return nil, fmt.Errorf("assemble the server: %w", err)
	}
	server, err := temporal.NewServer(
		temporal.WithConfig(conf),
		temporal.ForServices(temporal.DefaultServices),
		temporal.WithStaticHosts(hosts),
		temporal.WithDynamicConfigClient(dynamicSettings),
		temporal.WithLogger(logger),
		temporal.WithAuthorizer(authorizer),
		temporal.WithClaimMapper(func(*config.Config) authorization.ClaimMapper { return claims }),
	)
	if err != nil {
		return nil, fmt.Errorf("assemble the server: %w", err)
	}
	return server, nil
}

// newConfig is the static configuration, except for the services' ports.
func newConfig(o options) *config.Config {
	var conf config.Config
	conf.Services = map[string]config.Service{}
	conf.Global.Membership.MaxJoinDuration = 30 * time.Second
	conf.Global.Membership.BroadcastAddress = o.listen.Addr().String()
	conf.Persistence = config.Persistence{
		DefaultStore: "state", VisibilityStore: "visibility", NumHistoryShards: historyShards,
		DataStores: map[string]config.DataStore{
			"state":      {SQL: sqlConfig(o, o.database)},
			"visibility": {SQL: sqlConfig(o, o.visibility)},
		},
	}
	// The cluster's name and identifier are in every stored task: they are those of Temporal's own
	// development server and must stay the same for the life of the database.
	conf.ClusterMetadata = &cluster.Config{
		FailoverVersionIncrement: 10, MasterClusterName: "active", CurrentClusterName: "active",
		ClusterInformation: map[string]cluster.ClusterInformation{"active": {
			Enabled: true, InitialFailoverVersion: 1, RPCAddress: o.listen.String(),
			ClusterID: "f0f0f0f0-0000-4000-8000-000000000001",
		}},
	}
	conf.DCRedirectionPolicy.Policy = "noop"
	conf.Archival.History.State, conf.Archival.Visibility.State = "disabled", "disabled"
	conf.NamespaceDefaults.Archival.History.State, conf.NamespaceDefaults.Archival.Visibility.State = "disabled", "disabled"
	conf.PublicClient.HostPort = o.listen.String()
	return &conf
}

func newLogger() log.Logger {
	return log.NewZapLogger(log.BuildZapLogger(log.Config{Level: "warn"}))
}

func freePort(ctx context.Context, host string) (int, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	return port, l.Close()
}

// An OAuth 2.1 authorization server for tests: oidc-provider with open registration (RFC 7591), client ID metadata
// documents, PKCE S256, resource indicators (RFC 8707) whose access tokens are JWTs for one resource, rotating refresh
// tokens, revocation, and its own pages for login and consent. All state is in memory.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const require = createRequire(`${process.env.DEPS}/package.json`);
const { default: Provider, errors } = await import(pathToFileURL(require.resolve('oidc-provider')));

const port = Number(process.env.PORT);
const lifetime = Number(process.env.LIFETIME); // of access tokens, in seconds
const issuer = `http://127.0.0.1:${port}`;
const on = (name) => process.env[name] === 'true';

const provider = new Provider(issuer, {
  scopes: ['openid', 'offline_access', 'mcp:tools', 'mcp:admin'],
  cookies: { keys: ['a key of this test'] },
  pkce: { required: () => true },
  ttl: { AccessToken: lifetime, ClientCredentials: lifetime, AuthorizationCode: 60, RefreshToken: 3600, Session: 3600, Grant: 3600, Interaction: 600, IdToken: 600 },
  rotateRefreshToken: true,
  // By default one comes with offline_access and prompt=consent alone, and dies with the browser's session.
  issueRefreshToken: (ctx, client) => client.grantTypeAllowed('refresh_token'),
  expiresWithSession: () => false,
  // The client's document is on this machine, where the server's own guard does not let it look.
  fetch: (url, options) => { delete options.dispatcher; return globalThis.fetch(url, options); },
  features: {
    devInteractions: { enabled: true },
    registration: { enabled: on('REGISTRATION') },
    revocation: { enabled: true },
    clientIdMetadataDocument: { enabled: on('DOCUMENTS'), ack: 'draft-02' },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => undefined,
      useGrantedResource: () => true,
      getResourceServerInfo: (ctx, resource) => {
        if (!resource.startsWith('http://127.0.0.1:')) throw new errors.InvalidTarget();
        return { scope: 'mcp:tools mcp:admin', audience: resource, accessTokenFormat: 'jwt', accessTokenTTL: lifetime, jwt: { sign: { alg: 'RS256' } } };
      },
    },
  },
  clients: process.env.CLIENTS ? JSON.parse(process.env.CLIENTS) : [],
  findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
});
for (const event of ['server_error', 'authorization.error', 'grant.error', 'registration_create.error']) {
  provider.on(event, (ctx, e) => console.error(event, e.error, e.error_description, e.error_detail ?? e));
}
const server = provider.listen(port, '127.0.0.1', () => console.log('ready'));
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => { server.close(); process.exit(0); });

// Package egresstest holds what tests of every way to an address that users supply have in common: the addresses that
// must never be reached, and somebody who would notice.
package egresstest

// Special are hosts, as URLs have them, that are not for users to reach (security.md T-06, T-08): private, link-local
// and shared networks, metadata services of clouds, numbers of documentation and of tests, and IPv4 inside IPv6 in all
// its translations.
func Special() []string {
	return []string{
		"127.0.0.1", "127.8.9.10", "10.0.0.1", "172.16.5.4", "192.168.1.1", "100.64.0.1", "0.0.0.0", "255.255.255.255", "224.0.0.1", "240.0.0.1",
		"169.254.169.254", "169.254.170.2", "100.100.100.200", "168.63.129.16", "192.0.0.192", "192.0.0.8", "198.18.0.1",
		"192.0.2.1", "198.51.100.7", "203.0.113.9",
		"[::1]", "[::]", "[fe80::1]", "[fe80::1%25lo]", "[fc00::1]", "[fd00:ec2::254]", "[fec0::1]", "[ff02::1]", "[100::1]",
		"[2001:db8::1]", "[2001:2::1]", "[3fff::1]", "[5f00::1]",
		"[::127.0.0.1]", "[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]", "[::ffff:169.254.169.254]", "[::ffff:0:127.0.0.1]",
		"[2002:7f00:1::]", "[2002:a9fe:a9fe::]", "[64:ff9b::7f00:1]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::1]", "[2001::1]",
	}
}

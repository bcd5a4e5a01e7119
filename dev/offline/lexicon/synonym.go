package lexicon

import "strings"

// groups are words that people and tool authors use for one another. A word may stand in several.
var groups = strings.Split(strings.TrimSpace(`
email mail message inbox mailbox
file document
folder directory
search find query grep look lookup locate
list show enumerate display
read open view fetch print get retrieve cat show
get fetch retrieve load
send forward deliver notify
write save store put
create make new
delete remove erase drop
update change modify edit
move rename
add append insert
sum total plus add
size big large
information detail metadata stat
graph memory knowledge
echo repeat
run execute start
environment env variable
tree structure
event meeting appointment calendar agenda
sql database query table
allow permit
invoice bill
picture image photo
person people contact user`), "\n")

var related = func() map[string][]string {
	m := map[string][]string{}
	for _, group := range groups {
		words := strings.Fields(group)
		for _, a := range words {
			for _, b := range words {
				if a != b {
					m[Stem(a)] = append(m[Stem(a)], Stem(b))
				}
			}
		}
	}
	return m
}()

// Related returns the stems that may stand for the given one, without itself.
func Related(stem string) []string { return related[stem] }

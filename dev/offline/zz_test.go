package offline_test
import ("testing";"fmt")
func TestZZ(t *testing.T){
	llm := client(start(t, now))
	for _, s := range []string{"Find all emails from last week about invoices and summarise them","Find all emails from last week about invoices, summarise them and mail me the sum at me@example.com","Send the total of last month's invoice emails to Bob"} {
	turns, final := play(t, llm, ask(s, mailTools()...), mailbox())
	for _, x := range turns { fmt.Printf("%q\n", x) }
	fmt.Println(final)
	}
}

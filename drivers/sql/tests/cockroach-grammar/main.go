// Reads statements, one a line, and tells which of them CockroachDB's own parser refuses.
package main

import (
	"bufio"
	"fmt"
	"os"

	"github.com/cockroachdb/cockroachdb-parser/pkg/sql/parser"
)

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 16*1024*1024)
	read, refused := 0, 0
	for lines.Scan() {
		read++
		if _, err := parser.Parse(lines.Text()); err != nil {
			refused++
			fmt.Printf("%s\n    %v\n", lines.Text(), err)
		}
	}
	if err := lines.Err(); err != nil {
		fmt.Println(err)
		os.Exit(2)
	}
	if refused > 0 {
		os.Exit(1)
	}
	fmt.Printf("%d statements\n", read)
}

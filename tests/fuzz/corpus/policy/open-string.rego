package a
x := `

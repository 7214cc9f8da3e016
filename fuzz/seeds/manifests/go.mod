!module a

go 1.22

require (
	b v1.0.0 // indirect
)
replace b => ../b

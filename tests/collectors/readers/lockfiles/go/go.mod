module example.org/acme/shop // the shop

go 1.19

replace example.com/forked => example.org/fork/of v1.0.1

replace (
	example.com/beside v1.0.0 => ./beside
	example.com/pinned => example.com/pinned v1.0.0
)

require (
	example.com/Log v1.3.0
	example.com/beside v1.0.0
	example.com/forked v1.0.0
	example.com/old v2.1.0+incompatible
	example.com/pinned v1.1.0
	example.com/pseudo v0.0.0-20240510120000-1a2b3c4d5e6f
	example.com/web v0.9.1
)

require example.com/yaml/v3 v3.0.1 // indirect

exclude example.com/Log v1.2.5

retract [v0.1.0, v0.2.0] // broken

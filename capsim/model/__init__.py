"""What the program is: its data, variables, costs and constraints."""

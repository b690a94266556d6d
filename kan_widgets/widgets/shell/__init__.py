"""What all views are made of: options, pictures, docking, the classes they begin with."""

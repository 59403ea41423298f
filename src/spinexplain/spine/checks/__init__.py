"""What is checked about a mask or centers against their scan before anything is graded."""

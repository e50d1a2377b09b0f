"""What a training folder holds, and the page of it."""

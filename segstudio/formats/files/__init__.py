"""Files and folders of labels, read within limits and written only inside."""

"""The pages of `flask_tutorial`: a base with navigation, a form, and the posts with a pager."""

BASE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title or "Welcome" }} - Microblog</title>
<link rel="stylesheet" href="{{ url_for('static', filename='bootstrap.min.css') }}">
</head>
<body>
<nav class="navbar navbar-expand-lg bg-body-tertiary">
<div class="container">
<a class="navbar-brand" href="{{ url_for('home') }}">Microblog</a>
<ul class="navbar-nav">
<li class="nav-item"><a class="nav-link" href="{{ url_for('home') }}">Home</a></li>
<li class="nav-item"><a class="nav-link" href="/explore">Explore</a></li>
<li class="nav-item"><a class="nav-link" href="/messages">Messages</a></li>
<li class="nav-item"><a class="nav-link" href="/user/{{ g.reader.username }}">Profile</a></li>
<li class="nav-item"><a class="nav-link" href="/logout">Logout</a></li>
</ul>
<form class="d-flex" method="get" action="/search"><input name="q" placeholder="Search"></form>
</div>
</nav>
<div class="container mt-3">
{% for message in get_flashed_messages() %}
<div class="alert alert-info" role="alert">{{ message }}</div>
{% endfor %}
{% block content %}{% endblock %}
</div>
<script src="{{ url_for('static', filename='bootstrap.bundle.min.js') }}"></script>
</body>
</html>
"""

HOME = """{% extends "base.html" %}
{% block content %}
<h1>Hi, {{ g.reader.username }}!</h1>
<form action="" method="post" class="form">
<label for="post">Say something</label>
<textarea id="post" name="post" class="form-control" required></textarea>
<input type="submit" class="btn btn-primary" value="Submit">
</form>
{% for post in posts %}{% include "_post.html" %}{% endfor %}
<nav aria-label="Post navigation">
<ul class="pagination">
<li class="page-item{% if not newer %} disabled{% endif %}">
<a class="page-link" href="{{ newer or '#' }}">Newer posts</a></li>
<li class="page-item{% if not older %} disabled{% endif %}">
<a class="page-link" href="{{ older or '#' }}">Older posts</a></li>
</ul>
</nav>
{% endblock %}
"""

POST = """<table class="table table-hover">
<tr>
<td width="70px">
<a href="/user/{{ post.author.username }}"><img src="{{ post.author.avatar(70) }}" alt=""></a>
</td>
<td>
{% set link %}<a class="user_popup" href="/user/{{ post.author.username }}">
{{ post.author.username }}</a>{% endset %}
{{ link }} said <time datetime="{{ post.timestamp.isoformat() }}Z">
{{ post.timestamp.strftime("%d %B %Y, %H:%M") }}</time>:
<br>
<span id="post{{ post.id }}" class="post-body">{{ post.body }}</span>
</td>
</tr>
</table>
"""

PAGES = {"base.html": BASE, "home.html": HOME, "_post.html": POST}
